// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {ICredentialRegistry, SCOPE_ANCHOR, SCOPE_STATUS} from "../../src/interfaces/ICredentialRegistry.sol";
import {vm} from "../Vm.sol";
import {Consent, Consents} from "./Consent.sol";
import {HistoryReplay} from "./HistoryReplay.sol";

/// @title A registry with two issuers, each with a key of either scope
/// @dev After every test of a change call `_audit()`: the events alone must lead to the state.
abstract contract RegistryTest {
    uint40 internal constant START = 1_800_000_000;
    string internal constant DID = "did:web:college.example";
    string internal constant OTHER_DID = "did:web:university.example";
    uint32 internal constant ISSUER = 1;
    uint32 internal constant OTHER_ISSUER = 2;
    bytes32 internal constant ROOT = keccak256("root");

    // Private keys of the issuers' keys.
    uint256 internal constant ANCHOR_PK = 0xa1;
    uint256 internal constant STATUS_PK = 0x51;
    uint256 internal constant OTHER_ANCHOR_PK = 0xa2;
    uint256 internal constant OTHER_STATUS_PK = 0x52;
    uint256 internal constant NEW_PK = 0x77;

    address internal immutable admin = vm.addr(0xad);
    address internal immutable accreditor = vm.addr(0xacc);
    address internal immutable controller = vm.addr(0xc1);
    address internal immutable otherController = vm.addr(0xc2);
    address internal immutable stranger = vm.addr(0xbad);
    address internal immutable anchorKey = vm.addr(ANCHOR_PK);
    address internal immutable statusKey = vm.addr(STATUS_PK);
    address internal immutable otherAnchorKey = vm.addr(OTHER_ANCHOR_PK);
    address internal immutable otherStatusKey = vm.addr(OTHER_STATUS_PK);
    address internal immutable newKey = vm.addr(NEW_PK);

    ICredentialRegistry internal registry;
    HistoryReplay internal history;

    function setUp() public virtual {
        vm.warp(START);
        vm.recordLogs();
        registry = ICredentialRegistry(
            vm.deployCode("CredentialRegistry.sol:CredentialRegistry", abi.encode(admin, accreditor, 1 days))
        );
        history = HistoryReplay(vm.deployCode("HistoryReplay.sol:HistoryReplay", abi.encode(registry)));
        _accredit(DID, controller);
        _accredit(OTHER_DID, otherController);
        _addKey(controller, _consent(ISSUER, anchorKey, SCOPE_ANCHOR, 0), ANCHOR_PK);
        _addKey(controller, _consent(ISSUER, statusKey, SCOPE_STATUS, 0), STATUS_PK);
        _addKey(otherController, _consent(OTHER_ISSUER, otherAnchorKey, SCOPE_ANCHOR, 0), OTHER_ANCHOR_PK);
        _addKey(otherController, _consent(OTHER_ISSUER, otherStatusKey, SCOPE_STATUS, 0), OTHER_STATUS_PK);
    }

    /* ACTIONS */

    function _accredit(string memory did, address who) internal returns (uint32) {
        vm.prank(accreditor);
        return registry.accredit(did, who);
    }

    function _addKey(address who, Consent memory consent, uint256 privateKey) internal {
        _addKey(who, consent, Consents.sign(consent, privateKey, block.chainid, address(registry)));
    }

    function _addKey(address who, Consent memory consent, bytes memory signature) internal {
        vm.prank(who);
        registry.addKey(
            consent.issuer,
            consent.key,
            consent.scope,
            consent.statusEpoch,
            consent.validFrom,
            consent.deadline,
            signature
        );
    }

    function _anchor(address who, uint32 issuer, bytes32 root, uint32 size) internal {
        vm.prank(who);
        registry.anchor(issuer, root, size);
    }

    function _withdraw(uint32 issuer, uint40 withdrawnAt) internal {
        vm.prank(accreditor);
        registry.withdraw(issuer, withdrawnAt, 6);
    }

    function _retireKey(address who, address key) internal {
        vm.prank(who);
        registry.retireKey(key);
    }

    function _compromiseKey(address who, address key, uint40 since) internal {
        vm.prank(who);
        registry.compromiseKey(key, since);
    }

    /// @dev The recorded events, replayed from the start, must lead to the registry's state and heads.
    function _audit() internal {
        history.take(vm.getRecordedLogs());
        history.check();
    }

    /* VALUES */

    /// @dev Valid from the block it is mined in, good for an hour.
    function _consent(uint32 issuer, address key, uint8 scope, uint16 epoch) internal view returns (Consent memory) {
        return
            Consent({
                issuer: issuer, key: key, scope: scope, statusEpoch: epoch, validFrom: 0, deadline: _now() + 1 hours
            });
    }

    function _words(uint16 word) internal pure returns (uint16[] memory words) {
        words = new uint16[](1);
        words[0] = word;
    }

    function _masks(uint256 mask) internal pure returns (uint256[] memory masks) {
        masks = new uint256[](1);
        masks[0] = mask;
    }

    function _words(uint16 first, uint16 second) internal pure returns (uint16[] memory words) {
        words = new uint16[](2);
        (words[0], words[1]) = (first, second);
    }

    function _masks(uint256 first, uint256 second) internal pure returns (uint256[] memory masks) {
        masks = new uint256[](2);
        (masks[0], masks[1]) = (first, second);
    }

    /// @dev From the cheatcode: the optimiser may move `block.timestamp` across a `vm.warp`.
    function _now() internal view returns (uint40) {
        return uint40(vm.getBlockTimestamp());
    }

    function _headOf(uint32 issuer) internal view returns (bytes32) {
        return registry.issuerOf(issuer).head;
    }

    /// @dev Head of the issuer after an event, `keccak256(abi.encode(topic0, parameters...))`.
    function _headAfter(uint32 issuer, bytes32 eventHash) internal view returns (bytes32) {
        return keccak256(abi.encode(_headOf(issuer), eventHash));
    }

    function _registryHeadAfter(bytes32 eventHash) internal view returns (bytes32) {
        return keccak256(abi.encode(registry.registryHead(), eventHash));
    }
}
