// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {ICredentialRegistry} from "../../src/interfaces/ICredentialRegistry.sol";
import {Vm, vm} from "../Vm.sol";
import {HistoryReplay} from "../support/HistoryReplay.sol";
import {Slots} from "../support/Slots.sol";
import {Credential} from "../support/Trees.sol";
import {Rules} from "./Rules.sol";
import {Witness} from "./Witness.sol";
import {IssuerHandler} from "./handlers/IssuerHandler.sol";
import {RelayHandler} from "./handlers/RelayHandler.sol";

/// @title What holds after any sequence of calls by anybody
/// @notice Three guard it. `Rules` foretells of each call whether it must succeed, or with which error it must be refused.
/// `Witness` sees after each call that what may move one way only did: keys stay bound as they were, cut-offs move earlier,
/// nonces and status epochs grow, each DID has one issuer. The checks below compare the registry with the ghosts.
///
/// They are one campaign: forge runs another for every function `invariant_…`, with the same calls.
contract RegistryInvariants {
    ICredentialRegistry private _registry;
    ICredentialRegistry private _other;
    HistoryReplay private _history;
    Rules private _rules;
    IssuerHandler private _issuers;
    RelayHandler private _keys;
    bytes32 private _otherState;

    function setUp() public {
        vm.warp(1_800_000_000);
        vm.recordLogs();
        _registry = _deploy();
        _other = _deploy();
        _rules = Rules(vm.deployCode("Rules.sol:Rules", ""));
        Witness witness = Witness(vm.deployCode("Witness.sol:Witness", abi.encode(_registry, _rules)));
        _issuers =
            IssuerHandler(vm.deployCode("IssuerHandler.sol:IssuerHandler", abi.encode(_registry, _rules, witness)));
        _keys = RelayHandler(
            vm.deployCode("RelayHandler.sol:RelayHandler", abi.encode(_registry, _other, _rules, witness))
        );
        _history = HistoryReplay(vm.deployCode("HistoryReplay.sol:HistoryReplay", abi.encode(_registry)));
        _otherState = _stateOfOther();
    }

    /// @notice Where forge finds the contracts to call.
    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](2);
        (targets[0], targets[1]) = (address(_issuers), address(_keys));
    }

    function invariant_registry() public view {
        _aBatchIsWhatItsKeyAnchored();
        _onlyTheIssuerMovesItsBits();
        _aVoidOrRevokedBatchNeverVerifies();
        _aRelayedCallRunsOnOneContractOnly();
        vm.assertEq(_registry.issuerCount(), _rules.issuerCount(), "issuers that nobody admitted");
    }

    /// @notice After the last call of each run: an auditor who has nothing but the events agrees.
    function afterInvariant() public {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        _history.take(logs);
        _history.check();
        vm.assertEq(_history.keyCount(), _rules.keyCount(), "keys are not those added");
        vm.assertEq(_history.batchCount(), _rules.batchCount(), "anchorings are not those made");
        vm.assertEq(_history.statusCallCount(), _rules.statusCallCount(), "status calls are not those made");
        vm.assertEq(_history.batchRevocationCount(), _rules.batchRevocationCount(), "batch revocations");
    }

    /* RULES */

    /// Written when anchored, anew when anchored again, and with a reason when revoked.
    function _aBatchIsWhatItsKeyAnchored() private view {
        for (uint32 issuer = 1; issuer <= _rules.issuerCount(); ++issuer) {
            for (uint256 i = 0; i < _rules.ROOTS(); ++i) {
                bytes32 root = _rules.rootAt(i);
                bytes32 actual = keccak256(abi.encode(_registry.batchOf(issuer, root)));
                vm.assertEq(actual, keccak256(abi.encode(_rules.batchOf(issuer, root))), "a batch changed by itself");
            }
        }
    }

    /// Ghosts of revocations only gain bits, and those of suspensions lose them by reinstatement only.
    function _onlyTheIssuerMovesItsBits() private view {
        (uint256[] memory slots, uint256[] memory bits, bool[] memory revoked) = _rules.words();
        for (uint256 i = 0; i < slots.length; ++i) {
            uint256 actual = Slots.read(address(_registry), slots[i]);
            if (revoked[i]) vm.assertEq(bits[i] & ~actual, 0, "a revocation was undone");
            vm.assertEq(actual, bits[i], "bits moved by somebody else");
        }
    }

    function _aVoidOrRevokedBatchNeverVerifies() private view {
        for (uint32 issuer = 1; issuer <= _rules.issuerCount(); ++issuer) {
            for (uint256 i = 0; i < _rules.ROOTS(); ++i) {
                vm.assertEq(_verifies(issuer, i), _rules.isGood(issuer, i), "verify does not judge by the rules");
            }
        }
    }

    function _aRelayedCallRunsOnOneContractOnly() private view {
        vm.assertEq(_stateOfOther(), _otherState, "a signature moved a registry that it was not meant for");
    }

    /* PRIVATE */

    function _verifies(uint32 issuer, uint256 rootIndex) private view returns (bool) {
        Credential memory credential = _rules.credentialAt(rootIndex);
        try _registry.verify(
            issuer,
            _rules.rootAt(rootIndex),
            credential.salt,
            credential.list,
            credential.statusIndex,
            credential.credentialHash,
            2,
            _rules.pathAt(rootIndex)
        ) returns (
            uint40
        ) {
            return true;
        } catch {
            return false;
        }
    }

    function _stateOfOther() private view returns (bytes32) {
        return keccak256(abi.encode(_other.registryHead(), _other.issuerOf(1), _other.batchOf(1, _rules.rootAt(0))));
    }

    function _deploy() private returns (ICredentialRegistry) {
        bytes memory arguments = abi.encode(address(0xad), address(0xacc0), 1 days);
        return ICredentialRegistry(vm.deployCode("CredentialRegistry.sol:CredentialRegistry", arguments));
    }
}
