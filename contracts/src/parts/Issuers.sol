// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {
    AccessControlDefaultAdminRules
} from "@openzeppelin/contracts/access/extensions/AccessControlDefaultAdminRules.sol";

import {ICredentialRegistry, MAX_DID_LENGTH} from "../interfaces/ICredentialRegistry.sol";
import {Heads} from "./Heads.sol";

/// @title Accreditation, and the record of each issuer
abstract contract Issuers is Heads, AccessControlDefaultAdminRules, ICredentialRegistry {
    /* CONSTANTS */

    /// @inheritdoc ICredentialRegistry
    bytes32 public constant override ACCREDITOR_ROLE = keccak256("credanchor/role/accreditor");

    /// @dev What every DID starts with (W3C DID Core).
    bytes4 private constant _DID_SCHEME = "did:";

    /* STORAGE */

    mapping(uint32 issuer => Issuer record) private _issuers;
    mapping(bytes32 didHash => uint32 issuer) private _issuerOfDid;
    uint32 private _issuerCount;

    /// @dev Who was offered control of an issuer and has not accepted. Apart from the record, which verifiers prove.
    mapping(uint32 issuer => address controller) private _pendingControllers;

    /* EXTERNAL */

    /// @inheritdoc ICredentialRegistry
    function accredit(string calldata did, address controller)
        external
        override
        onlyRole(ACCREDITOR_ROLE)
        returns (uint32 issuer)
    {
        // A cast of a shorter string pads with zeros, so this also refuses the empty one.
        // forge-lint: disable-next-line(unsafe-typecast)
        if (bytes4(bytes(did)) != _DID_SCHEME) revert InvalidDid(did);
        if (bytes(did).length > MAX_DID_LENGTH) revert DidTooLong(bytes(did).length, MAX_DID_LENGTH);
        if (controller == address(0)) revert InvalidController(controller);
        bytes32 didHash = keccak256(bytes(did));
        if (_issuerOfDid[didHash] != 0) revert DidAlreadyAccredited(didHash, _issuerOfDid[didHash]);

        issuer = ++_issuerCount;
        _issuerOfDid[didHash] = issuer;
        bytes32 eventHash = keccak256(
            abi.encode(IssuerAccredited.selector, issuer, didHash, did, controller, msg.sender, _timestamp())
        );
        bytes32 head = _extended(_firstHead(issuer), eventHash);
        _issuers[issuer] = Issuer({
            controller: controller,
            accreditedAt: _timestamp(),
            withdrawnAt: 0,
            statusEpoch: 0,
            didHash: didHash,
            head: head
        });
        emit IssuerAccredited(
            issuer, didHash, did, controller, msg.sender, _timestamp(), head, _extendRegistryHead(eventHash)
        );
    }

    /// @inheritdoc ICredentialRegistry
    function issuerOf(uint32 issuer) external view override returns (Issuer memory) {
        return _issuers[issuer];
    }

    /// @inheritdoc ICredentialRegistry
    function issuerOfDid(bytes32 didHash) external view override returns (uint32) {
        return _issuerOfDid[didHash];
    }

    /// @inheritdoc ICredentialRegistry
    function issuerCount() external view override returns (uint32) {
        return _issuerCount;
    }

    /// @inheritdoc ICredentialRegistry
    function registryHead() external view override returns (bytes32) {
        return _currentRegistryHead();
    }

    /* INTERNAL */

    /// @dev Adds an event to the issuer's head and returns the new one, for the log.
    function _extendHead(uint32 issuer, bytes32 eventHash) internal returns (bytes32 head) {
        head = _extended(_issuers[issuer].head, eventHash);
        _issuers[issuer].head = head;
    }

    /// @dev Current status epoch of an issuer that exists.
    function _statusEpochOf(uint32 issuer) internal view returns (uint16) {
        if (_issuers[issuer].accreditedAt == 0) revert UnknownIssuer(issuer);
        return _issuers[issuer].statusEpoch;
    }

    function _requireController(uint32 issuer, address caller) internal view {
        if (_issuers[issuer].accreditedAt == 0) revert UnknownIssuer(issuer);
        if (_issuers[issuer].controller != caller) revert NotController(issuer, caller);
    }

    /// @dev The issuer must exist: a bound key and a controller show that it does.
    function _requireNotWithdrawn(uint32 issuer) internal view {
        uint40 withdrawnAt = _issuers[issuer].withdrawnAt;
        if (withdrawnAt != 0 && withdrawnAt <= _timestamp()) revert IssuerWithdrawn(issuer, withdrawnAt);
    }

    /// @dev Time of the block. Forty bits of seconds last until the year 36812.
    function _timestamp() internal view returns (uint40) {
        // forge-lint: disable-next-line(unsafe-typecast)
        return uint40(block.timestamp);
    }
}
